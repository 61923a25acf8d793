// Package debian has tests of the Debian package; the package's files are beside them.
package debian
