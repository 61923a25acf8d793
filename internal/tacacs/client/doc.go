// Package client sends TACACS+ accounting requests to the servers of a [Group].
package client
