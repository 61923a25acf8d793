// Package outagetest has only tests: they check delivery while servers are down, with all of its
// parts together. Records are in a real store, a real [aaasess/accounting/delivery.Delivery] sends
// them to real [aaasess/accounting/radius.Group]s, and real octets go over the network of package
// radiusnet. Only time is simulated (testing/synctest). The tests check R60 to R62 of the
// specification, S4 and RFC 2866:
//
//	schedule_test.go      one record, server after server, to the second
//	day_test.go           a day without servers, and the memory in use meanwhile
//	independence_test.go  one dead group delays no other
//	model_test.go         any groups, servers, restarts: against a model of what must arrive
//
// # Sizes
//
// The day has 200,000 records, and 5,000,000 with the build tag partners.
//
// # Concurrency
//
// A site (site_test.go) is one process on one disk: its store, groups and Delivery live from open
// to stop, in one bubble. Data that several parts write has a mutex of its own. No mutex is held
// over a call.
package outagetest
