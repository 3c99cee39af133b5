// Checks a bundle with code that is not ours: Go's sumdb/note for signatures and sumdb/tlog for
// the tree, tiles and proofs. Cosignatures (c2sp.org/tlog-cosignature) are given to sumdb/note as a
// verifier of their own, as its documentation provides for.
//
//	go run check.go BUNDLE [RECEIPT [EARLIER-CHECKPOINT]]
//
// prints how many lines it checked and exits 0, or says what it refuses and exits 1.
package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(sig)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, msg)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func parseCosigner(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("not a key: %s", vkey)
	}
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(data) != 33 || data[0] != 4 {
		return nil, fmt.Errorf("not a cosigner's key: %s", vkey)
	}
	return cosigner{parts[0], uint32(hash), data[1:]}, nil
}

func policy(path string) (verifiers []note.Verifier) {
	data, err := os.ReadFile(path)
	check(err)
	for _, line := range strings.Split(string(data), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) > 1 && words[0] == "log":
			verifier, err := note.NewVerifier(words[1])
			check(err)
			verifiers = append(verifiers, verifier)
		case len(words) > 2 && words[0] == "witness":
			verifier, err := parseCosigner(words[2])
			check(err)
			verifiers = append(verifiers, verifier)
		}
	}
	return verifiers
}

func open(data []byte, verifiers []note.Verifier) tlog.Tree {
	opened, err := note.Open(data, note.VerifierList(verifiers...))
	check(err)
	if len(opened.UnverifiedSigs) != 0 {
		check(fmt.Errorf("%d signatures by unknown keys", len(opened.UnverifiedSigs)))
	}
	fmt.Printf("note: %d signatures\n", len(opened.Sigs))
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: root}
}

// tiles reads tiles of a bundle: tile/<level>/<N> where tlog has tile/<height>/<level>/<N>.
type tiles struct{ folder string }

func (t tiles) Height() int                         { return 8 }
func (t tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		path := strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(t.folder, "tile", path))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func entries(folder string, size int64) (all [][]byte) {
	for start := int64(0); start < size; start += 256 {
		width := size - start
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: 8, L: 0, N: start / 256, W: int(width)}
		path := strings.TrimPrefix(tile.Path(), "tile/8/0/")
		data, err := os.ReadFile(filepath.Join(folder, "tile/entries", path))
		check(err)
		for len(data) > 0 {
			length := binary.BigEndian.Uint16(data)
			all = append(all, data[2:2+length])
			data = data[2+length:]
		}
	}
	return all
}

func main() {
	folder := os.Args[1]
	verifiers := policy(filepath.Join(folder, "policy"))
	head, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	check(err)
	tree := open(head, verifiers)

	reader := tlog.TileHashReader(tree, tiles{folder})
	root, err := tlog.TreeHash(tree.N, reader)
	check(err)
	if root != tree.Hash {
		check(fmt.Errorf("the tiles give another root"))
	}
	all := entries(folder, tree.N)
	if int64(len(all)) != tree.N {
		check(fmt.Errorf("%d entries, not %d", len(all), tree.N))
	}
	for index, entry := range all {
		proof, err := tlog.ProveRecord(tree.N, int64(index), reader)
		check(err)
		check(tlog.CheckRecord(proof, tree.N, tree.Hash, int64(index), tlog.RecordHash(entry)))
	}
	fmt.Printf("tlog: %d entries\n", len(all))

	if len(os.Args) > 2 {
		receipt(os.Args[2], verifiers, all)
	}
	if len(os.Args) > 3 {
		data, err := os.ReadFile(os.Args[3])
		check(err)
		old := open(data, verifiers)
		proof, err := tlog.ProveTree(tree.N, old.N, reader)
		check(err)
		check(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
		fmt.Printf("tlog: %d entries are the beginning\n", old.N)
	}
}

func receipt(path string, verifiers []note.Verifier, all [][]byte) {
	data, err := os.ReadFile(path)
	check(err)
	parts := bytes.SplitN(data, []byte("\n\n"), 2)
	lines := strings.Split(string(parts[0]), "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "extra ") {
		check(fmt.Errorf("not a tlog-proof"))
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	check(err)
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		check(err)
		proof = append(proof, hash)
	}
	tree := open(parts[1], verifiers)
	check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(all[index])))
	fmt.Printf("tlog: the receipt proves entry %d\n", index)
}
