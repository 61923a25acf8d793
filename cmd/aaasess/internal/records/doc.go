// Package records has the commands about accounting records: show accounting, explain, show spool and
// spool.
package records
