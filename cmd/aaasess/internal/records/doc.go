// Package records has the commands about accounting records: show accounting, explain, show spool and
// spool. It uses only the control socket of the daemon, and opens no file of the store.
package records
