// Package apiclient is the client of the control socket. Package api defines the requests and
// answers.
//
// Each method of a [Client] sends one request, or one for each part of a list, on a connection of
// its own. An error that the daemon answers is a *[ResponseError]. Otherwise the error wraps
// [ErrNoDaemon], [ErrTimeout], [ErrInvalid] or [ErrEnded], or is the cause of the context.
package apiclient
