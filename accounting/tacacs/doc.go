// Package tacacs delivers accounting records to TACACS+ servers (RFC 8907 section 7).
package tacacs
