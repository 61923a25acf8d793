// Package term makes text for a terminal: tables, screens of fields, durations, amounts and times.
// Text from the network cannot change a terminal: unprintable characters are printed as \xHH or
// \u{H}, in JSON as \uHHHH.
package term
