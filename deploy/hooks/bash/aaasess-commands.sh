# Reports each command of an interactive bash to aaasess, see README.md. It stands in /etc/profile.d, or
# is read by /etc/bash.bashrc. A shell that is not bash skips it.

if [ -n "${BASH_VERSION-}" ] && [ -n "${PS1-}" ] && [ -z "${_aaasess_line-}" ]; then
	# Every line is to be in the history, where it is found: else the one before it would be reported. A
	# ~/.bashrc comes later and may set these variables, so that is done at each prompt.
	PROMPT_COMMAND=${PROMPT_COMMAND-}"
HISTCONTROL='' HISTIGNORE=''"
	_aaasess_line=$(tty 2>/dev/null) || _aaasess_line=bash
	# The audit session is that of the login, see ../pam/report.
	_aaasess_login=
	if read -r _aaasess_audit </proc/self/sessionid && [ "$_aaasess_audit" != 4294967295 ] &&
		read -r _aaasess_boot </proc/sys/kernel/random/boot_id; then
		_aaasess_login=login-${_aaasess_boot%%-*}-$_aaasess_audit
	fi 2>/dev/null
	unset _aaasess_audit _aaasess_boot
	eval '
_aaasess_command() {
	local text level=1
	text=$(unset HISTTIMEFORMAT && builtin history 1)
	[[ $text =~ ^[[:space:]]*[0-9]+\*?[[:space:]]+(.*)$ ]] || return 0
	text=${BASH_REMATCH[1]:0:16384} # a record has room for the first 2 kB, and an argument for 128
	[ "$EUID" -ne 0 ] || level=15
	# The prompt does not wait: nobody reads the output.
	command aaasess session command --quiet --timeout 5s --source bash --session "$$" --user "$(command id -un)" \
		--nas-port-id "${_aaasess_line#/dev/}" --level "$level" --text "$text" \
		${_aaasess_login:+--attributes "Acct-Multi-Session-Id=$_aaasess_login"} &
} </dev/null >/dev/null 2>&1'
	# bash expands PS0 after it has read a command, and before it runs it. Nothing is printed.
	# shellcheck disable=SC2016
	PS0=${PS0-}'$(_aaasess_command)'
fi
