// Package policy decides which accounting list a session or another event has: spec R40, R41, R44,
// R45, R51, R53; S1 and S2 "Named Method Lists for Accounting", "AAA Broadcast Accounting",
// "Per-DNIS", "Resource Accounting".
//
// A [Policy] is what the operator has configured: method lists, rules that say where the named ones
// apply, and entries of the DNIS map. [New] checks it and makes a [Plan]. [Plan.Decide] is a pure
// function of the plan, the accounting [Type], and a session. It allocates nothing, because the
// routes are made by New. Any number of goroutines may call it.
//
// For an event of one type, the first of these decides:
//
//  1. the entry of the DNIS map for its Called-Station-Id; only network sessions have one;
//  2. the named list of the first rule for its type that matches;
//  3. the default list of its type.
//
// If there is none of them, the event is not accounted (S1: "if no default method list is defined,
// then no accounting takes place").
package policy
