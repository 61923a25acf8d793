// Package nasload is what NASes send in the measurements: Accounting-Requests (RFC 2866 section 4.1) of sessions that are
// numbered by their User-Name, and traffic at fixed times whatever the answers do. The load generator
// (bench/stand/peers/load.c) sends the same requests from a file.
package nasload
