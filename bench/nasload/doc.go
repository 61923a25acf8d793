// Package nasload makes the requests of the NASes in the measurements: Accounting-Requests (RFC
// 2866 section 4.1) of sessions that have a number in their User-Name. It sends them at fixed
// times, whether or not answers arrive. One NAS ends its sessions by Disconnect-Requests (ending.go). The load generator (bench/stand/peers/load.c) sends the
// same requests from a file.
package nasload
