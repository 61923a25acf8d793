// Package admission keeps what authentication says of users whose accounting has not begun, and tells
// the session table. It has no socket: the authentication relay tells it of each Access-Request, Accept
// and Reject.
package admission
