# The judge of `direction`. Reads: room FOLDER: FOLDER...; library PREFIX: FOLDER...;
# header PATH; include FILE LINE "NAME" or <NAME>.

function folder_of(path) {
	sub(/\/[^\/]*$/, "", path)
	return path
}

function say(file, line, text) {
	printf "%s:%d: %s\n", file, line, text
}

# The row of the table for a file: its own, that of its folder, or of a folder above.
function row_of(file,    path) {
	for (path = file; path != ""; path = path ~ /\// ? folder_of(path) : "")
		if (path in room)
			return path
	return ""
}

function judge_library(file, line, name,    prefix, own) {
	own = folder_of(file)
	for (prefix in library)
		if (index(name, prefix) == 1 && index(library[prefix], " " own " ") == 0)
			say(file, line, "<" name "> may be included only in" library[prefix] "; ask that room for what you need")
}

function judge_header(file, line, name,    own, row) {
	own = folder_of(file)
	if (name ~ /\//) {
		say(file, line, "\"" name "\" has a path; include headers by name, and let the room's NEEDS find them")
		return
	}
	if (!(name in home)) {
		say(file, line, "there is no \"" name "\" in any room; system headers go into <>")
		return
	}
	row = row_of(file)
	if (row == "") {
		say(file, line, "the folder " own " is not in the table of tests/checks/direction; add its row")
		return
	}
	if (index(home[name], " " own " ") == 0 && !allowed(room[row], home[name]))
		say(file, line, "\"" name "\" belongs to" home[name] "which " own " must not know (it knows:" (room[row] ~ /[^ ]/ ? room[row] : " nothing ") "); pass the value in, or let daemon or cli join the two")
}

function allowed(may, homes,    n, i, list) {
	n = split(homes, list, " ")
	for (i = 1; i <= n; i++)
		if (index(may, " " list[i] " "))
			return 1
	return 0
}

function rest(from,    out, i) {
	out = " "
	for (i = from; i <= NF; i++)
		out = out $i " "
	return out
}

$1 == "room" && NF > 1 { sub(/:$/, "", $2); room[$2] = rest(3) }
$1 == "library" && NF > 1 { sub(/:$/, "", $2); library[$2] = rest(3) }
$1 == "header" {
	name = $2
	sub(/.*\//, "", name)
	home[name] = home[name] (home[name] == "" ? " " : "") folder_of($2) " "
}
$1 == "include" {
	name = $4
	gsub(/["<>]/, "", name)
	if ($4 ~ /^</)
		judge_library($2, $3, name)
	else
		judge_header($2, $3, name)
}
