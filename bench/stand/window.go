package stand

// Window limits how many commits wait for the disk at the same time. It keeps the first error.
type Window struct {
	slots  chan struct{}
	failed chan error
}

// NewWindow returns a Window for n commits.
func NewWindow(n int) *Window {
	return &Window{slots: make(chan struct{}, n), failed: make(chan error, 1)}
}

// Begin waits until another commit may begin.
func (w *Window) Begin() { w.slots <- struct{}{} }

// Done ends a commit that has begun.
func (w *Window) Done(err error) {
	if err != nil {
		select {
		case w.failed <- err:
		default: // only the first is kept
		}
	}
	<-w.slots
}

// Wait returns when all commits are done, with the first error. The Window cannot be used
// afterwards.
func (w *Window) Wait() error {
	for range cap(w.slots) {
		w.Begin()
	}
	select {
	case err := <-w.failed:
		return err
	default:
		return nil
	}
}
