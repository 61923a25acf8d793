// Package local is the accounting method "local" (R41): a file of JSON lines, one object for each
// record.
//
//	{"time":"2001-06-27T04:47:46Z","type":"Stop","session":"0000000E","number":14,
//	 "nasSession":"5F2A","list":"network/default","delay":0,"attributes":{"NAS-IP-Address":"172.16.25.15",...}}
//
// In the file this is one line. session is the Acct-Session-Id that goes upstream, and nasSession
// the one that the NAS sent, as in the logs of the NAS and of authentication; "" if the NAS sent
// none, or if an earlier version stored the record. time is the time of the event, RFC 3339 in UTC.
// delay is how many seconds after the event the line was written, like Acct-Delay-Time in RADIUS. attributes has the
// attributes in their order, with the names of the dictionary and values as
// [radius.Dictionary.Print] writes them; numbers are JSON numbers. Attributes with the same name
// form an array. The attributes inside a Vendor-Specific have their own names, as in
// "Cisco-AVPair":"...". "Vendor-Specific" itself is always an array and has what the dictionary
// does not know. A tunnel attribute with a tag has the tag in its name: "Tunnel-Type:1":"VLAN".
//
// A record is delivered when the file is synced. Records that come while the disk is busy share the
// next sync. After a failed write, the file is truncated to its length before the write. After a
// crash a record may be in the file twice. A power cut may leave a partial line; the next record
// starts on a new line.
//
// # Concurrency
//
// [Writer.Send] formats the line and passes it to [Writer.Run]. Only Run's goroutine uses the file.
package local
