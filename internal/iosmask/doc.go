// Package iosmask hides the passwords and keys in commands of Cisco IOS (R53; S2: "Passwords and
// accounting logs are masked before being sent"). It knows the commands that carry secrets by a table
// (rules.go), with the abbreviations that IOS accepts. A command that is in no rule stays as it is, to
// the octet.
//
// A rule is a line of these words:
//
//	pa(ssword)  a keyword that is abbreviated to two letters at least, in capitals or not
//	pa(ssword)|s(ecret)  either of them, whichever comes first
//	*           any word
//	...         any number of words, also none; the fewest that make the rest match
//	<number>    a number of up to three digits that ends the command
//	<key>       a secret of one word
//	<rest>      a secret that goes on to the end of the command: passwords may contain spaces
//	<command>   a command, to the end, in quotes or not: that of an alias, or of an EEM applet
//
// Before a secret there may be the number of its encryption, as in "password 7 0822455D0A16", which
// stays. A rule without a secret says that a command has none. The first rule that matches a command
// decides. Words before the command, such as no and do, do not count.
//
// The password in a URL, ftp://user:password@host, is hidden in every command.
package iosmask
