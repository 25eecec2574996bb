# bash completion of pr-manager; made by `pr-manager --completions=bash`
_pr_manager()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local command="" option="" words="" before="" word

    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
        show|watch|status|read-keys|read-reservation|read-full-status|report-capabilities|register|reserve|release|clear|preempt|move|register-and-move|raw)
            command=$word
            break ;;
        esac
    done
    if [[ $cur == "=" ]]; then
        option=$prev cur=""
    elif [[ $prev == "=" ]]; then
        option=${COMP_WORDS[COMP_CWORD-2]}
    elif [[ $prev == -* ]]; then
        option=$prev
    fi
    case $option in
    --type)
        words="write-exclusive exclusive-access write-exclusive-registrants-only exclusive-access-registrants-only write-exclusive-all-registrants exclusive-access-all-registrants" ;;
    --completions)
        words="bash zsh fish" ;;
    --status-socket|--sysfs|--helper)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        compopt -o filenames 2>/dev/null
        return ;;
    --table)
        words="warnings clients devices commands latency" ;;
    --output|-o)
        case $command in
        show) words="KEY HOLDER TYPE PORT INITIATOR HOST" ;;
        status) words="WARNING CLIENT PID UID CONNECTED IDLE COMMANDS LAST-COMMAND LAST-STATUS DEVICE WWID CLIENTS CONFLICTS ERRORS IN-FLIGHT COMMAND AGE TOOK SHARE" ;;
        read-keys) words="KEY" ;;
        read-full-status) words="KEY HOLDER TYPE PORT INITIATOR HOST" ;;
        esac
        before=${cur%"${cur##*,}"}
        cur=${cur##*,}
        compopt -o nospace 2>/dev/null ;;
    --key|--new-key|--victim|--initiator|--target-port|--interval|--timeout)
        return ;;
    *)
        option="" ;;
    esac
    if [[ -z $option && $cur == -* ]]; then
        case $command in
        show) words="--output= --noheadings --sysfs= --helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        watch) words="--interval= --helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        status) words="--status-socket= --table= --prometheus --output= --noheadings --json --completions= --help --version " ;;
        read-keys) words="--output= --noheadings --helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        read-reservation) words="--helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        read-full-status) words="--output= --noheadings --sysfs= --helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        report-capabilities) words="--helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        register) words="--key= --new-key= --ignore-existing --aptpl --all-target-ports --initiator= --helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        reserve) words="--key= --type= --helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        release) words="--key= --type= --helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        clear) words="--key= --yes --helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        preempt) words="--key= --victim= --type= --abort --yes --helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        move) words="--key= --new-key= --aptpl --all-target-ports --abort --yes --helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        register-and-move) words="--key= --new-key= --aptpl --initiator= --target-port= --unregister --helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        raw) words="--yes --helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        *) words="--helper= --direct --allow-stacked --timeout= --json --completions= --help --version " ;;
        esac
    elif [[ -z $option && -z $command ]]; then
        words="show watch status read-keys read-reservation read-full-status report-capabilities register reserve release clear preempt move register-and-move raw"
    elif [[ -z $option ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        compopt -o filenames 2>/dev/null
        return
    fi
    mapfile -t COMPREPLY < <(compgen -P "$before" -W "$words" -- "$cur")
    if [[ ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -F _pr_manager pr-manager
