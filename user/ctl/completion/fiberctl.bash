# SPDX-License-Identifier: MIT
# bash completion of fiberctl. Options come from --help and columns from
# -o help, so that nothing here can be out of date but the subcommands.
# shellcheck shell=bash

_fiberctl_commands="load unload status ps threads top hist watch tree"

# The words of a list with commas: completes the last one, keeps the rest.
_fiberctl_list() {
	local cur=$1 head= word
	shift
	case $cur in
	*,*) head=${cur%,*}, ;;
	[-+]*) head=${cur:0:1} ;;
	esac
	for word in $(compgen -W "$*" -- "${cur#"$head"}"); do
		COMPREPLY+=("$head$word")
	done
	compopt -o nospace 2>/dev/null
}

_fiberctl_columns() {
	fiberctl "$1" ${2:+"$2"} -o help 2>/dev/null | awk '{ print $1 }'
}

_fiberctl_pids() {
	local dir
	for dir in /proc/[0-9]*; do
		[ -O "$dir" ] || [ "$EUID" = 0 ] && echo "${dir#/proc/}"
	done
}

_fiberctl_options() {
	fiberctl "$1" --help 2>/dev/null |
		grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--?[a-zA-Z-]+'
}

_fiberctl() {
	local cur=$2 prev=$3 cmd=${COMP_WORDS[1]} threads=
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$_fiberctl_commands --help --version" -- "$cur")
		return
	fi
	case " ${COMP_WORDS[*]} " in *" -H "* | *" --threads "*) threads=-H ;; esac
	case $prev in
	-o | --columns) _fiberctl_list "$cur" "$(_fiberctl_columns "$cmd" $threads) all help"; return ;;
	-s | --sort) _fiberctl_list "$cur" "$(_fiberctl_columns "$cmd" $threads)"; return ;;
	-f | --filter)
		mapfile -t COMPREPLY < <(compgen -W "$(_fiberctl_columns "$cmd" $threads)" -- "$cur")
		return
		;;
	-e | --events) _fiberctl_list "$cur" fork exec exit thread-create thread-exit; return ;;
	-p | --pid) _fiberctl_list "$cur" "$(_fiberctl_pids)"; return ;;
	-n | --frames | -d | --delay | --duration | -i | --interval) return ;;
	esac
	case $cmd:$cur in
	help:*) mapfile -t COMPREPLY < <(compgen -W "$_fiberctl_commands" -- "$cur") ;;
	*:-*) mapfile -t COMPREPLY < <(compgen -W "$(_fiberctl_options "$cmd")" -- "$cur") ;;
	load:*) mapfile -t COMPREPLY < <(compgen -f -X '!*.ko' -- "$cur"; compgen -d -S / -- "$cur") ;;
	threads:* | hist:*) mapfile -t COMPREPLY < <(compgen -W "$(_fiberctl_pids)" -- "$cur") ;;
	esac
}

complete -F _fiberctl fiberctl
