// Package top has the command top: a table of the live sessions that is always up to date. The model
// (model.go) has neither terminal nor network: keys and answers go in, requests and a screen come out.
package top
