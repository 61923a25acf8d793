package apiclient

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

// TestDialError: the text says what is wrong in plain words, and the causes can be tested for.
func TestDialError(t *testing.T) {
	for _, tt := range []struct {
		cause error
		kind  error
		text  string
	}{
		{syscall.EACCES, ErrPermission, "permission denied at s: only root and the members of the socket's group may use it"},
		{syscall.ENOENT, ErrNoDaemon, "no daemon at s: the socket does not exist"},
		{syscall.ECONNREFUSED, ErrNoDaemon, "no daemon at s: nothing listens on the socket"},
		{syscall.ENOTSOCK, ErrNoDaemon, "no daemon at s: connect: socket operation on non-socket"},
	} {
		err := dialError("s", os.NewSyscallError("connect", tt.cause))
		if err.Error() != tt.text || !errors.Is(err, tt.kind) || !errors.Is(err, tt.cause) {
			t.Errorf("%v: %v", tt.cause, err)
		}
	}
}
