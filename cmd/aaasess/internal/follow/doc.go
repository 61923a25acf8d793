// Package follow has the command debug: accountable events and lines of the log as they occur.
package follow
