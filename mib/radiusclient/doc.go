// Package radiusclient has the objects of the three MIB modules for clients of RADIUS:
//
//	RADIUS-ACC-CLIENT-MIB      RFC 4670  our accounting servers
//	RADIUS-AUTH-CLIENT-MIB     RFC 4668  our authentication servers
//	RADIUS-DYNAUTH-CLIENT-MIB  RFC 4672  the NASes that we have sent requests to
//
// Everything is read-only. [NewAcc], [NewAuth] and [NewDynAuth] create the modules.
//
// # Rows
//
// A server has a row if it has a port for the purpose of the module, whether a group uses it or not.
// The index is [servers.Entry.Number]. A name that is not resolved has a row in the Ext table, with
// InetAddressType unknown(0) and an empty address (RFC 4001): its counters do not disappear while the
// resolver is down. The deprecated table has the servers with an IPv4 address only, because its
// address is an IpAddress.
//
// radiusDynAuthServerTable has a row for each address and port of a NAS, see [dae.NASView].
//
// # Consistency
//
// Reading pins a view, which is immutable, so all variables of one PDU are from one moment. The rows of
// a view are made once, by the first request that reads it. Walks take no lock and do not allocate.
package radiusclient
