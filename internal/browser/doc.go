// Package browser lets tests use pages as people do, in a headless Chromium. It speaks Chromium's
// DevTools protocol by chromedp, which needs only the standard library and its own protocol package.
// Only test files import it, those with the build tag partners.
//
// A [Page] is one tab with a profile of its own. Whatever goes wrong in it fails its test: an error in
// the console, an exception, a violation of the Content-Security-Policy, a dialog, a window that opens,
// a request to another host. A test says what it expects with [Page.Expect]. Waiting is polling for a
// condition with a generous limit: nothing here depends on how fast the machine is.
//
// A Browser and its Pages belong to the test that started it, and are for one goroutine at a time.
package browser
