// Package localload sends session starts to the local socket of a daemon, from several clients at once.
package localload
