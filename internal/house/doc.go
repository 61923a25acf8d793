// Package house has no code: its tests hold the house rules that a compiler does not know. Each has
// a case that must fail.
package house
