package local

import (
	"path"
	"strings"
)

// isClean reports whether a ServeMux would leave a path as it is: it has no empty segment, "." or "..".
func isClean(escaped string) bool {
	return strings.HasPrefix(escaped, "/") && path.Clean(escaped) == escaped
}
