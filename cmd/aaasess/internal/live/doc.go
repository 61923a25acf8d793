// Package live has the commands about live sessions and logins: show sessions, show session, show
// logins, disconnect and clear. It uses only the control socket of the daemon. Packages records and top
// show sessions with its functions.
package live
