// Package shortage recognizes errors that say that the system is short of something. They say
// nothing about the file or peer they came from, and pass by themselves: the caller tries again.
package shortage

import (
	"errors"
	"strings"
	"syscall"
)

// IsOfDescriptors reports whether an error says that file descriptors are short, in the process
// (EMFILE) or in the system (ENFILE).
func IsOfDescriptors(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return true
	}
	// A net.DNSError has only the text of its cause. That of ENFILE begins with that of EMFILE.
	return strings.Contains(err.Error(), syscall.EMFILE.Error())
}

// Is reports whether an error says that file descriptors or memory of the kernel are short.
func Is(err error) bool {
	return IsOfDescriptors(err) || errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.ENOBUFS)
}
