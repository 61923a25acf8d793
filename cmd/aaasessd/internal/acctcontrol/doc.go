// Package acctcontrol answers what operators ask about accounting, and carries out what they tell it
// to do: it implements control.Accounting with the daemon's methods, router and store.
//
// groups.go has the server groups and their Accounting-On and -Off (R61 to R63), spool.go the queues
// and the set-aside records (R60), explain.go which list a session has and where its records are
// (R93), accepted.go which of its records count as accepted (R45a), resync.go the resyncs of groups
// (R65). The package turns the types of accounting and the packages below it into those of package
// api, and their errors into those of package control. All its functions may be called from any
// goroutine.
package acctcontrol
