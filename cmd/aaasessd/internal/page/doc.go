// Package page is the status page of the daemon (R94): what an operator looks at in a browser, at / of the
// HTTP listener. It reads a [Source] and knows neither the session table nor accounting.
package page
