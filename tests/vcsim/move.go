package main

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

// apply carries out a resolved relocation: files first, because only they can fail, then both ends of every reference,
// then the machine's own properties in one update, so that a property collector never sees half of a move.
func (t *target) apply(ctx *simulator.Context, vm *simulator.VirtualMachine) types.BaseMethodFault {
	migrated := migrationEvent(ctx, vm)
	m := newMover(ctx, vm, t)
	if err := m.moveFiles(); err != nil {
		return &types.FileFault{File: err.Error()}
	}
	if t.folder != nil {
		intoFolder(ctx, vm, t.folder)
	}
	networks := t.rewire(vm)
	datastores := m.datastores()
	relist(ctx, vm.Self, &oldAndNew{old: refs(*vm.Runtime.Host), new: refs(t.host.Self)})
	relist(ctx, vm.Self, &oldAndNew{old: refs(*vm.ResourcePool), new: refs(t.pool.Self)})
	relist(ctx, vm.Self, &oldAndNew{old: vm.Datastore, new: datastores})
	relist(ctx, vm.Self, &oldAndNew{old: vm.Network, new: networks})
	files := m.rewritten(vm.Config.Files)
	ctx.Update(vm, []types.PropertyChange{
		{Name: "runtime.host", Val: &t.host.Self},
		{Name: "summary.runtime.host", Val: &t.host.Self},
		{Name: "resourcePool", Val: &t.pool.Self},
		{Name: "parent", Val: vm.Parent},
		{Name: "datastore", Val: datastores},
		{Name: "network", Val: networks},
		{Name: "config.files", Val: files},
		{Name: "config.datastoreUrl", Val: urls(ctx, datastores)},
		{Name: "config.hardware.device", Val: vm.Config.Hardware.Device},
		{Name: "summary.config.vmPathName", Val: files.VmPathName},
	})
	m.refreshLayout()
	ctx.Map.EventManager().PostEvent(ctx, &types.PostEvent{EventToPost: migrated(t)})
	return nil
}

// mover knows where each file of a machine was and where it goes.
type mover struct {
	ctx    *simulator.Context
	vm     *simulator.VirtualMachine
	target *target
	source *simulator.HostSystem // datastore names mean what this host sees
	from   *simulator.Datastore
	home   string            // the machine's folder on from
	dirs   map[string]string // datastore id: the machine's folder there
}

func newMover(ctx *simulator.Context, vm *simulator.VirtualMachine, t *target) *mover {
	m := &mover{
		ctx: ctx, vm: vm, target: t, dirs: map[string]string{},
		source: ctx.Map.Get(*vm.Runtime.Host).(*simulator.HostSystem),
		from:   homeOf(ctx, vm),
		home:   path.Dir(parsePath(vm.Config.Files.VmPathName).Path),
	}
	m.dirs[m.from.Self.Value] = m.home
	return m
}

// dirOn names the machine's folder on a datastore; a taken name gets _1, _2, … as on a vCenter.
func (m *mover) dirOn(datastore *simulator.Datastore) string {
	if dir, known := m.dirs[datastore.Self.Value]; known {
		return dir
	}
	dir := m.home
	for n := 1; exists(path.Join(datastore.Summary.Url, dir)); n++ {
		dir = fmt.Sprintf("%s_%d", m.home, n)
	}
	m.dirs[datastore.Self.Value] = dir
	return dir
}

// moveFiles moves disks to their datastores and everything else in the machine's folder to its new home.
func (m *mover) moveFiles() error {
	for _, disk := range disksOf(m.vm) {
		place := m.place(disk.Key)
		for backing := flat(disk); backing != nil; backing = backing.Parent {
			if err := m.moveDisk(backing, place.datastore); err != nil {
				return err
			}
			backing.Datastore = &place.datastore.Self
		}
		if place.thin != nil {
			flat(disk).ThinProvisioned = place.thin
		}
	}
	if m.target.home == m.from {
		return nil
	}
	return m.moveRest()
}

func (m *mover) place(disk int32) diskTarget {
	if place, named := m.target.disks[disk]; named {
		return place
	}
	return diskTarget{datastore: m.target.home}
}

func (m *mover) moveDisk(backing *types.VirtualDiskFlatVer2BackingInfo, to *simulator.Datastore) error {
	old := parsePath(backing.FileName)
	from := m.ctx.Map.FindByName(old.Datastore, m.source.Datastore).(*simulator.Datastore)
	if from == to {
		return nil
	}
	dir := m.dirOn(to)
	stem := strings.TrimSuffix(path.Base(old.Path), ".vmdk")
	for _, name := range []string{stem + ".vmdk", stem + "-flat.vmdk"} {
		if err := rename(path.Join(from.Summary.Url, path.Dir(old.Path), name), path.Join(to.Summary.Url, dir, name)); err != nil {
			return err
		}
	}
	backing.FileName = (&object.DatastorePath{Datastore: to.Name, Path: path.Join(dir, stem+".vmdk")}).String()
	return nil
}

// moveRest leaves only the disks that stay; it takes the folder away when none does.
func (m *mover) moveRest() error {
	old := path.Join(m.from.Summary.Url, m.home)
	entries, err := os.ReadDir(old)
	if err != nil {
		return err
	}
	staying := m.disksStaying()
	for _, entry := range entries {
		if slices.Contains(staying, entry.Name()) {
			continue
		}
		to := path.Join(m.target.home.Summary.Url, m.dirOn(m.target.home), entry.Name())
		if err := rename(path.Join(old, entry.Name()), to); err != nil {
			return err
		}
	}
	if len(staying) == 0 {
		return os.Remove(old)
	}
	return nil
}

func (m *mover) disksStaying() []string {
	var names []string
	for _, disk := range disksOf(m.vm) {
		if m.place(disk.Key).datastore != m.from {
			continue
		}
		for backing := flat(disk); backing != nil; backing = backing.Parent {
			stem := strings.TrimSuffix(path.Base(parsePath(backing.FileName).Path), ".vmdk")
			names = append(names, stem+".vmdk", stem+"-flat.vmdk")
		}
	}
	return names
}

// rewritten gives the configuration's paths in the new home.
func (m *mover) rewritten(files types.VirtualMachineFileInfo) types.VirtualMachineFileInfo {
	if m.target.home == m.from {
		return files
	}
	for _, field := range []*string{&files.VmPathName, &files.SnapshotDirectory, &files.SuspendDirectory, &files.LogDirectory} {
		if old := parsePath(*field); old.Datastore != "" {
			rest := strings.TrimPrefix(old.Path, m.home)
			*field = (&object.DatastorePath{Datastore: m.target.home.Name, Path: m.dirOn(m.target.home) + rest}).String()
		}
	}
	return files
}

// datastores lists the home first, then those of disks elsewhere.
func (m *mover) datastores() []types.ManagedObjectReference {
	list := refs(m.target.home.Self)
	for _, disk := range disksOf(m.vm) {
		if ref := *flat(disk).Datastore; !slices.Contains(list, ref) {
			list = append(list, ref)
		}
	}
	return list
}

// refreshLayout lets the library read the moved folder afresh, then tells the property collectors.
func (m *mover) refreshLayout() {
	m.vm.Layout, m.vm.LayoutEx.File = &types.VirtualMachineFileLayout{Snapshot: m.vm.Layout.Snapshot}, nil
	m.vm.RefreshStorageInfo(m.ctx, nil)
	m.ctx.Update(m.vm, []types.PropertyChange{
		{Name: "layout", Val: m.vm.Layout},
		{Name: "layoutEx", Val: m.vm.LayoutEx},
		{Name: "storage", Val: m.vm.Storage},
		{Name: "summary.storage", Val: m.vm.Summary.Storage},
	})
}

// rewire gives every network card its backing at the destination and returns the machine's networks.
func (t *target) rewire(vm *simulator.VirtualMachine) []types.ManagedObjectReference {
	var networks []types.ManagedObjectReference
	for _, card := range cardsOf(vm) {
		nic := t.nics[card.Key]
		if b, ok := nic.backing.(*types.VirtualEthernetCardNetworkBackingInfo); ok {
			b.Network = &nic.network
		}
		card.Backing = nic.backing
		if !slices.Contains(networks, nic.network) {
			networks = append(networks, nic.network)
		}
	}
	return networks
}

// intoFolder uses the library's own move and waits for it, holding the folder's lock as the library does.
func intoFolder(ctx *simulator.Context, vm *simulator.VirtualMachine, folder *simulator.Folder) {
	ctx.WithLock(folder, func() {
		req := &types.MoveIntoFolder_Task{This: folder.Self, List: refs(vm.Self)}
		res := folder.MoveIntoFolderTask(ctx, req).(*methods.MoveIntoFolder_TaskBody).Res
		ctx.Map.Get(res.Returnval).(*simulator.Task).Wait()
	})
}

// migrationEvent notes the source now, and returns what makes the event once the destination is reached.
func migrationEvent(ctx *simulator.Context, vm *simulator.VirtualMachine) func(*target) *types.VmMigratedEvent {
	host := ctx.Map.Get(*vm.Runtime.Host).(*simulator.HostSystem)
	home, site := homeOf(ctx, vm), datacenterOf(ctx, vm)
	event := &types.VmMigratedEvent{
		SourceHost: *hostArgument(host), SourceDatacenter: datacenterArgument(site), SourceDatastore: datastoreArgument(home),
	}
	return func(t *target) *types.VmMigratedEvent {
		event.Host, event.Ds = hostArgument(t.host), datastoreArgument(t.home)
		event.Datacenter = datacenterArgument(datacenterOf(ctx, t.host))
		event.Vm = &types.VmEventArgument{EntityEventArgument: types.EntityEventArgument{Name: vm.Name}, Vm: vm.Self}
		return event
	}
}

func rename(from, to string) error {
	if !exists(from) { // a disk without an extent file is the library's way to save space
		return nil
	}
	if err := os.MkdirAll(path.Dir(to), 0o700); err != nil {
		return err
	}
	return os.Rename(from, to)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
