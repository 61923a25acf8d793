package reporting

const sessionStartHelp = `Report that a session of this host has started. Its row appears in the session table, and its
start record is made by the list of its kind.

A start that is reported again while its session is live changes nothing.`

const sessionUpdateHelp = `Report news of a live session: counters, addresses, or a name. Counters are totals since the start
of the session, from the user (input) and to the user (output).`

const sessionStopHelp = `Report that a session has ended, with its last counters. The daemon makes its stop record.

Give the fields of the start too. If the daemon has missed the start, it makes the stop record of
them.`

const sessionFailHelp = `Report a login, or the negotiation of a session, that failed. With --accepted, report a session
that ended before its start, although its user had been accepted. The daemon makes a stop record
of it if accounting.send-stop-record says so.`

const sessionCallHelp = `Report the setup of a call, before its user is known, for resource accounting. With --stop,
report that it is over.`

const sessionCommandHelp = `Report a command that a user typed in an EXEC session of the same source, or as the user of
--user. The daemon records it by the list accounting.commands of its privilege level.

Passwords and keys in it are masked, unless accounting.visible-keys is true.`
