# shellcheck shell=bash
# bash completion of muster: what there is to say, muster says.
_muster() {
    local rest=${COMP_LINE:0:COMP_POINT} words=() piece='' i line text prefix quoted=0
    COMPREPLY=()
    # COMP_WORDS is cut at '=', ':' and '@': here words are what blanks separate.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        piece=${COMP_WORDS[i]}
        if [[ $rest == [[:blank:]]* || ${#words[@]} -eq 0 ]]; then
            rest=${rest#"${rest%%[![:blank:]]*}"}
            words+=('')
        fi
        [ "$i" -lt "$COMP_CWORD" ] || piece=$rest
        words[${#words[@]} - 1]+=$piece
        rest=${rest#"$piece"}
    done
    # What is replaced begins behind the last of these.
    [[ $piece =~ ^[=:@,]+$ ]] && piece=''
    prefix=${words[${#words[@]} - 1]%"$piece"}
    [[ $piece == [\"\']* ]] && quoted=1
    while IFS= read -r line; do
        if [ "$line" = :files ]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r text; do
                COMPREPLY+=("$text")
            done < <(compgen -f -- "$piece")
            continue
        fi
        text=${line%%$'\t'*}
        text=${text#"$prefix"}
        if [ "$quoted" -eq 0 ]; then
            printf -v text %q "$text"
        elif [[ $text == *[\"\'\\\$\`\!]* ]]; then
            continue # what the shell would make something of, between these quotes
        fi
        COMPREPLY+=("$text")
    done < <(command "${COMP_WORDS[0]}" __complete bash "${words[@]:1}" 2>/dev/null)
    # More may follow these.
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:,] ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -F _muster muster
