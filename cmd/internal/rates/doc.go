// Package rates computes how fast sessions count octets and packets, from what a daemon tells of them
// again and again. Its types are values: whoever asks the daemon keeps them.
package rates
