// Package groups has the commands about server groups: show server-group, show acct-on-off-group,
// show radius|tacacs statistics and perform.
package groups
