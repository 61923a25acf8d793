// Package local is the accounting method "local" (R41): a file of JSON lines,
// one object for each record.
//
//	{"time":"2001-06-27T04:47:46Z","type":"Stop","session":"0000000E","number":14,
//	 "list":"network/default","delay":0,"attributes":{"NAS-IP-Address":"172.16.25.15",...}}
//
// (in one line). time is when the event happened, RFC 3339 in UTC; delay is how
// many seconds later it was written, what RADIUS calls Acct-Delay-Time.
// attributes has the attributes in their order, by the names of the dictionary and
// with values as [radius.Dictionary.Print] writes them, numbers as numbers. Those of
// one name that come more than once are an array. What is in a Vendor-Specific has
// names of its own, "Cisco-AVPair":"..."; Vendor-Specific, always an array, has what
// the dictionary does not know. A tunnel attribute with a tag has it in its name,
// "Tunnel-Type:1":"VLAN".
//
// A record is delivered when the file is synced; records that come while the
// disk is busy share the next sync. After a failed write the file is cut back
// to what it had before. A record may be there twice after a crash, and a crash
// of the machine may leave half a line, which the next record does not join.
//
// # Concurrency
//
// [Writer.Send] makes the line and leaves it for [Writer.Run], whose goroutine
// alone touches the file.
package local
