// Package groups has the commands about server groups: show server-group, show acct-on-off-group, show
// radius|tacacs statistics and perform. It uses only the control socket of the daemon. Exported
// functions beside the commands are for package show (what managers changed) and for tests of the whole
// command line.
package groups
