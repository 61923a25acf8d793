// Package prefixtable finds the longest prefix of an IP address in a table.
package prefixtable
