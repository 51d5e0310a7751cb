# Finds the functions of C files. Prints one line each:
#   F FILE NAME FIRST LAST     a function from its first line (return type) to its closing brace
#   B FILE LINE TEXT           a brace that is not where kernel style puts it
#   L FILE LINES               the length of a file
# Comments, strings, character constants and preprocessor lines are left out of account.
# With -v bodies=0 no B lines are printed.

function start_file() {
	depth = 0; comment = 0; macro = 0; head = ""; first = 0; body = 0; lines = 0
}

function end_file() {
	if (file != "") {
		print "L", file, lines
		if (depth > 0 && body)
			print "B", file, body, "this function never ends with '}' in column 1"
	}
}

# The line without comments and with strings and character constants emptied.
function strip(s,    out, i, c, two, quote) {
	out = ""; quote = ""
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		two = substr(s, i, 2)
		if (comment) {
			if (two == "*/") { comment = 0; i++; out = out " " }
		} else if (quote != "") {
			if (c == "\\") i++
			else if (c == quote) { quote = ""; out = out c }
		} else if (two == "/*") {
			comment = 1; i++
		} else if (two == "//") {
			break
		} else if (c == "\"" || c == "'") {
			quote = c; out = out c
		} else
			out = out c
	}
	sub(/[ \t]+$/, "", out)
	return out
}

# The name in front of the first '(' that is no attribute.
function name_of(text,    rest) {
	rest = text
	gsub(/__attribute__[ \t]*\(\([^()]*(\([^()]*\))?[^()]*\)\)/, "", rest)
	if (!match(rest, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/))
		return ""
	rest = substr(rest, RSTART, RLENGTH)
	sub(/[ \t]*\($/, "", rest)
	return rest
}

# Is what stands before a '{' the head of a function?
function is_function(text) {
	return text ~ /\)[ \t]*$/ && text !~ /=/ && text !~ /^[ \t]*(struct|union|enum)[ \t]+[A-Za-z0-9_]*[ \t]*$/
}

function scan(s,    i, c, before) {
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "{") {
			if (depth == 0) {
				before = head " " substr(s, 1, i - 1)
				body = is_function(before) ? FNR : 0
				if (body) {
					name = name_of(before)
					if (i != 1 || s != "{")
						print "B", file, FNR, "the body of " name "() does not begin with '{' alone in column 1"
				}
			}
			depth++
		} else if (c == "}") {
			if (depth > 0)
				depth--
			if (i == 1 && depth > 0 && body)
				depth = 0
			if (depth == 0) {
				if (body) {
					print "F", file, name, first, FNR
					if (i != 1)
						print "B", file, FNR, "the body of " name "() does not end with '}' in column 1"
				}
				head = ""; first = 0; body = 0
				return
			}
		} else if (c == ";" && depth == 0) {
			head = ""; first = 0
			s = substr(s, i + 1)
			i = 0
		}
	}
	if (depth == 0 && s ~ /[^ \t]/) {
		if (!first)
			first = FNR
		head = head " " s
	}
}

FNR == 1 { end_file(); start_file(); file = FILENAME }
{
	lines = FNR
	if (macro || (!comment && $0 ~ /^[ \t]*#/)) {
		macro = $0 ~ /\\$/
		next
	}
	scan(strip($0))
}
END { end_file() }
