// Package house has no code: its tests enforce the house rules that a compiler does not check. Each
// rule has a case that must fail.
package house
