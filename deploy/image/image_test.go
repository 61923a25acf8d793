package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/google/go-cmp/cmp"
)

const containerfile = "../Containerfile"

// program builds a program that needs no dynamic linker, and returns its file.
func program(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "program"), source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(dir, "program")
}

// folder returns a folder for COPY: bin/aaasess and bin/aaasessd are the program, text is no
// program.
func folder(t *testing.T, program string, mode os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir+"/bin", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"bin/aaasess": data, "bin/aaasessd": data, "text": []byte("text\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// follow builds an image by the text of a Containerfile.
func follow(text, context string, given map[string]string, created time.Time) (v1.Image, error) {
	instructions, err := parse(text)
	if err != nil {
		return nil, err
	}
	return build(instructions, context, given, created)
}

// listing returns the files of an image: name, mode, owner.
func listing(t *testing.T, img v1.Image) (list []string) {
	t.Helper()
	files := mutate.Extract(img)
	defer files.Close()
	for r := tar.NewReader(files); ; {
		h, err := r.Next()
		if err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprintf("%s %o %d:%d", h.Name, h.Mode, h.Uid, h.Gid))
	}
}

// TestContainerfile: the image has the files and the settings that our Containerfile says.
func TestContainerfile(t *testing.T) {
	text, err := os.ReadFile(containerfile)
	if err != nil {
		t.Fatal(err)
	}
	context := folder(t, program(t), 0o755)
	created := time.Unix(1700000000, 0)
	img, err := follow(string(text), context, map[string]string{"VERSION": "v1.2.3", "COMMIT": "0123abcd"}, created)
	if err != nil {
		t.Fatal(err)
	}
	wantFiles := []string{
		"run 755 0:0", "run/aaasess 755 65534:65534",
		"usr 755 0:0", "usr/bin 755 0:0", "usr/bin/aaasess 755 0:0", "usr/bin/aaasessd 755 0:0",
		"var 755 0:0", "var/lib 755 0:0", "var/lib/aaasess 755 65534:65534",
		"var/log 755 0:0", "var/log/aaasess 755 65534:65534",
	}
	if diff := cmp.Diff(wantFiles, listing(t, img)); diff != "" {
		t.Errorf("files: %s", diff)
	}
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if file.OS != "linux" || file.Architecture != runtime.GOARCH || !file.Created.Equal(created) {
		t.Errorf("the image is for %s/%s, of %v", file.OS, file.Architecture, file.Created)
	}
	want := v1.Config{
		User: "65534:65534", WorkingDir: "/var/lib/aaasess", Env: []string{"PATH=/usr/bin"},
		Entrypoint: []string{"aaasessd"}, Cmd: []string{"--config", "/etc/aaasess/aaasess.yaml"},
		Healthcheck:  &v1.HealthConfig{Test: []string{"CMD", "aaasess", "show", "status"}},
		ExposedPorts: set([]string{"161/udp", "1812/udp", "1813/udp"}), Volumes: set([]string{"/var/lib/aaasess", "/var/log/aaasess"}),
		Labels: map[string]string{
			"org.opencontainers.image.title":       "aaasess",
			"org.opencontainers.image.description": "AAA session agent: session table, CISCO-AAA-SESSION-MIB, disconnect, accounting",
			"org.opencontainers.image.licenses":    "Apache-2.0",
			"org.opencontainers.image.version":     "v1.2.3",
			"org.opencontainers.image.revision":    "0123abcd",
		},
	}
	if diff := cmp.Diff(want, file.Config); diff != "" {
		t.Errorf("settings: %s", diff)
	}
}

// TestReproducible: the digest depends on the content and the time, and on nothing else.
func TestReproducible(t *testing.T) {
	const text = "FROM scratch\nCOPY bin/aaasess text /usr/bin/\nWORKDIR /var/lib/x\n"
	digest := func(text, context string, created int64) v1.Hash {
		t.Helper()
		img, err := follow(text, context, nil, time.Unix(created, 0))
		if err != nil {
			t.Fatal(err)
		}
		d, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	binary := program(t)
	first := digest(text, folder(t, binary, 0o755), 0)
	if got := digest(text, folder(t, binary, 0o700), 0); got != first {
		t.Errorf("another time and mode of the files: %v, want %v", got, first)
	}
	if got := digest(text, folder(t, binary, 0o755), 1); got == first {
		t.Error("another time gives the same image")
	}
	if got := digest(text+"USER 1:1\n", folder(t, binary, 0o755), 0); got == first {
		t.Error("other instructions give the same image")
	}
}

func TestFaults(t *testing.T) {
	context := folder(t, program(t), 0o755)
	const begin = "FROM scratch\nCOPY bin/aaasess /usr/bin/\n"
	for text, want := range map[string]string{
		"":                                    "the image has no program",
		"FROM scratch\nCOPY text /etc/\n":     "the image has no program",
		"FROM debian\n":                       "line 1: FROM: an image begins FROM scratch",
		"# no\nUSER 1:1\nFROM scratch\n":      "line 2: USER: an image begins FROM scratch",
		begin + "FROM scratch":                "line 3: FROM: an image begins FROM scratch",
		begin + "RUN make":                    "line 3: RUN: is not supported",
		begin + "USER nobody":                 "line 3: USER: \"nobody\" is not UID:GID in numbers",
		begin + "USER 1":                      "line 3: USER: \"1\" is not UID:GID in numbers",
		begin + "CMD aaasess -h":              "line 3: CMD: aaasess -h is not a list in JSON",
		begin + "VOLUME /var":                 "line 3: VOLUME: /var is not a list in JSON",
		begin + "VOLUME [\"/var\"]":           "line 3: VOLUME: /var is not in the image",
		begin + "WORKDIR var":                 "line 3: WORKDIR: \"var\" is not absolute",
		begin + "LABEL a=$B":                  "line 3: LABEL: no value for B",
		begin + "LABEL a=b c=d":               "line 3: LABEL: \"a=b c=d\" is not one NAME=VALUE or NAME=\"VALUE\"",
		begin + "ENV a b":                     "line 3: ENV: \"a b\" is not one NAME=VALUE or NAME=\"VALUE\"",
		begin + "ENV a=\"b":                   "line 3: ENV: \"a=\\\"b\" is not one NAME=VALUE or NAME=\"VALUE\"",
		begin + "HEALTHCHECK NONE":            "line 3: HEALTHCHECK: want CMD and a list",
		begin + "COPY text /etc":              "line 3: COPY: want files, and an absolute folder with / at its end",
		begin + "COPY --chown=1:1 text /etc/": "line 3: COPY: want files, and an absolute folder with / at its end",
		begin + "COPY text \\":                "line 3: the last line is continued",
		begin + "ARG A\n":                     "there is no ARG B",
	} {
		given := map[string]string{}
		if strings.Contains(text, "ARG") {
			given["B"] = "1"
		}
		if _, err := follow(text, context, given, time.Unix(0, 0)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := follow("FROM scratch\nCOPY none /etc/", context, nil, time.Unix(0, 0)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// TestRun: the layout has the image whose digest is printed. Only an older image is replaced.
func TestRun(t *testing.T) {
	context := folder(t, program(t), 0o755)
	out := filepath.Join(t.TempDir(), "image")
	args := []string{"-f", containerfile, "-context", context, "-o", out, "-arg", "VERSION=v1", "-created", "1"}
	for range 2 {
		if err := run(args, t.Output(), t.Output()); err != nil {
			t.Fatal(err)
		}
		index, err := layout.ImageIndexFromPath(out)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Index(index); err != nil {
			t.Error(err)
		}
		manifest, err := index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if len(manifest.Manifests) != 1 || manifest.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != "latest" {
			t.Errorf("the index is %+v", manifest)
		}
	}
	for name, args := range map[string][]string{
		"no image there":     append(args, "-o", context),
		"no Containerfile":   append(args, "-f", "none"),
		"no argument":        append(args, "-arg", "VERSION"),
		"unknown argument":   append(args, "-arg", "VERSIONS=1"),
		"no Containerfile's": append(args, "-f", "main.go"),
	} {
		if err := run(args, t.Output(), t.Output()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := os.Stat(context + "/text"); err != nil {
		t.Errorf("a folder without an image was changed: %v", err)
	}
}
