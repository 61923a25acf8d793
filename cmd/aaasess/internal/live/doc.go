// Package live has the commands about live sessions and logins: show sessions, show session, show
// logins, disconnect and clear.
package live
