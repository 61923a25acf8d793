//go:build !race

package delivery

const race = false
