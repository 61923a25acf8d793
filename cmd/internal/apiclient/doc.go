// Package apiclient asks a running daemon by its control socket: package api has the requests and answers.
// Each method of a [Client] makes one request, or those for all parts of a list, on a connection of its own.
// An error that the daemon has answered is a *[RefusedError]. Others say that there is no daemon, that it does
// not answer in time, or that its answer cannot be read.
package apiclient
