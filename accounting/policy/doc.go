// Package policy decides which accounting list a session has: spec R40, R41, R44, R45; S1 and S2
// "Named Method Lists for Accounting", "AAA Broadcast Accounting", "Per-DNIS".
//
// A [Policy] is what the operator has configured: method lists, rules that say where the named ones
// apply, and entries of the DNIS map. [New] checks it and makes a [Plan]. [Plan.Decide] is a pure
// function of the plan and a session. It allocates nothing, because the routes are made by New. Any
// number of goroutines may call it.
//
// For a session of one kind, the first of these decides:
//
//  1. the entry of the DNIS map for its Called-Station-Id; only network sessions have one;
//  2. the named list of the first rule for its kind that matches;
//  3. the default list of its kind.
//
// If there is none of them, the session is not accounted (S1: "if no default method list is
// defined, then no accounting takes place").
package policy
