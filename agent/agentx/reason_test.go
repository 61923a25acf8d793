package agentx

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/posteo/go-agentx/pdu"
)

func TestReasons(t *testing.T) {
	dial := func(errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", errno)}
	}
	tests := []struct {
		err  error
		want Reason
		line string // in the log line
	}{
		{dial(syscall.ENOENT), NoMaster, "no connection to the master"},
		{dial(syscall.ECONNREFUSED), NoMaster, "no connection to the master"},
		{io.EOF, NoMaster, "no connection to the master"},
		{dial(syscall.EACCES), PermissionDenied, "permission denied"},
		{dial(syscall.EPERM), PermissionDenied, "permission denied"},
		{&RefusedError{Type: pdu.TypeRegister, Code: pdu.ErrorDuplicateRegistration}, DuplicateRegistration, "duplicate registration"},
		{&RefusedError{Type: pdu.TypeRegister, Code: pdu.ErrorRequestDenied}, Refused, "refuses"},
		{&RefusedError{Type: pdu.TypeOpen, Code: pdu.ErrorOpenFailed}, Refused, "refuses"},
		{fmt.Errorf("%w within 10s", ErrNoAnswer), NoAnswer, "does not answer"},
		{&ClosedError{Reason: pdu.ReasonByManager}, Closed, "has closed"},
		{errTrailing, BadPDU, "bad PDU"},
		{ErrProtocol, BadPDU, "bad PDU"},
	}
	lines := map[string]Reason{}
	for _, tt := range tests {
		got := reasonOf(tt.err)
		if got != tt.want || !strings.Contains(got.message(), tt.line) {
			t.Errorf("%v: %q, line %q; want %q, %q", tt.err, got, got.message(), tt.want, tt.line)
		}
		if other, again := lines[got.message()]; again && other != got {
			t.Errorf("%q and %q have one line", got, other)
		}
		lines[got.message()] = got
	}
	if errors.Is(dial(syscall.ENOENT), os.ErrPermission) {
		t.Error("the test's errors are alike")
	}
}
