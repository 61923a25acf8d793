package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
)

// task is anything that the daemon runs. Run returns when its context is done. An error of Run ends
// the daemon, and so does a Run that returns before that. Ready is closed when the task provides its service. String returns its name for logs
// and errors.
type task interface {
	fmt.Stringer
	Run(ctx context.Context) error
	Ready() <-chan struct{}
}

// errEnded ends the daemon if a task has ended by itself: without it, the daemon would go on and lack
// what that task does. A restart brings it back.
var errEnded = errors.New("it has ended, and nobody asked it to")

// runTasks runs all tasks until ctx is done or one of them fails. The error has the name of that
// task. When ctx is done, first ends first, and the other tasks run until it has ended. After a
// failure all end at once. runTasks calls ready when first and all tasks of serving are ready; it
// does not wait for the others.
func runTasks(ctx context.Context, first task, serving, others []task, ready func()) error {
	g, failed := errgroup.WithContext(context.WithoutCancel(ctx))
	firstCtx, endFirst := context.WithCancel(failed)
	defer context.AfterFunc(ctx, endFirst)()
	restCtx, endRest := context.WithCancel(failed)
	run := func(ctx context.Context, t task) error {
		err := t.Run(ctx)
		if err == nil && ctx.Err() == nil {
			err = errEnded
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		return nil
	}
	g.Go(func() error {
		defer endRest()
		return run(firstCtx, first)
	})
	for _, t := range slices.Concat(serving, others) {
		g.Go(func() error { return run(restCtx, t) })
	}
	g.Go(func() error {
		for _, t := range append([]task{first}, serving...) {
			select {
			case <-t.Ready():
			case <-firstCtx.Done():
				return nil
			}
		}
		ready()
		return nil
	})
	return g.Wait()
}

// loop makes a function a task.
type loop struct {
	name  string
	ready <-chan struct{}
	run   func(ctx context.Context) error
}

func (l loop) Run(ctx context.Context) error { return l.run(ctx) }
func (l loop) Ready() <-chan struct{}        { return l.ready }
func (l loop) String() string                { return l.name }

// readyAtOnce returns the Ready of a task that is ready from the start: a closed channel.
func readyAtOnce() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
