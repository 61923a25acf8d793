// Package outagetest is tests only: what delivery does while servers are away,
// with all of its parts together. Records stand in a real store, a real
// [aaasess/accounting/delivery.Delivery] takes them to real
// [aaasess/accounting/radius.Group]s, and real octets go over the network of
// package radiusnet; only time is not real (testing/synctest). It is held
// against R60 to R62 of the specification, S4 and RFC 2866:
//
//	schedule_test.go      one record, server after server, to the second
//	day_test.go           a day without servers, and what is in memory meanwhile
//	independence_test.go  one dead group delays no other
//	model_test.go         any groups, servers, restarts: against a model of what must arrive
//
// # Sizes
//
// The day has 200,000 records, and 5,000,000 with the build tag partners.
//
// # Who owns what
//
// A site (site_test.go) is one process on one disk: its store, groups and
// Delivery live from open to stop, in one bubble. Everything that goroutines of
// several parts write has a mutex of its own; none is held over a call.
package outagetest
