package main

import (
	"slices"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// relocations answers RelocateVM_Task for every machine: all of a machine moves, or nothing of it.
//
// It stands beside the library's machines instead of wrapping them, because half of the library asserts their exact
// type; and a request is led to it by its address, because a session's own look-up overrules the registry's handler.
//
// The embedded type is what the library demands of everything in its registry: its look-ups by UUID walk over all of it.
type relocations struct{ mo.ExtensibleManagedObject }

func newRelocations(ctx *simulator.Context) *relocations {
	r := new(relocations)
	r.Self = types.ManagedObjectReference{Type: "ExtensibleManagedObject", Value: "relocations"}
	ctx.Map.Put(r)
	return r
}

// intercept leads to us what the library does wrong. The body of a call still names the object that it was made on.
func intercept(ctx *simulator.Context) {
	relocations, uuids := newRelocations(ctx), newUuids(ctx)
	ctx.Map.Handler = func(ctx *simulator.Context, method *simulator.Method) (mo.Reference, types.BaseMethodFault) {
		switch ctx.Map.Get(method.This).(type) {
		case *simulator.VirtualMachine:
			if method.Name == "RelocateVM_Task" {
				method.This = relocations.Self
			}
		case *simulator.SearchIndex:
			if method.Name == "FindByUuid" || method.Name == "FindAllByUuid" {
				method.This = uuids.Self
			}
		}
		return nil, nil
	}
}

// RelocateVMTask refuses unknown references at once, as a vCenter does (the library crashes), checks the rest inside
// the task, and changes the inventory only when every check passed.
func (r *relocations) RelocateVMTask(ctx *simulator.Context, req *types.RelocateVM_Task) soap.HasFault {
	body := new(methods.RelocateVM_TaskBody)
	if unknown := firstUnknown(ctx, &req.Spec); unknown != nil {
		body.Fault_ = simulator.Fault("", &types.ManagedObjectNotFound{Obj: *unknown})
		return body
	}
	vm := ctx.Map.Get(req.This).(*simulator.VirtualMachine)
	if slices.Contains(vm.DisabledMethod, "RelocateVM_Task") {
		body.Fault_ = simulator.Fault("", new(types.MethodDisabled))
		return body
	}
	task := simulator.CreateTask(vm, "relocateVm", func(*simulator.Task) (types.AnyType, types.BaseMethodFault) {
		target, fault := resolve(ctx, vm, &req.Spec)
		if fault != nil {
			return nil, fault
		}
		return nil, target.apply(ctx, vm)
	})
	body.Res = &types.RelocateVM_TaskResponse{Returnval: task.Run(ctx)}
	return body
}

func firstUnknown(ctx *simulator.Context, spec *types.VirtualMachineRelocateSpec) *types.ManagedObjectReference {
	refs := []*types.ManagedObjectReference{spec.Host, spec.Pool, spec.Datastore, spec.Folder}
	for i := range spec.Disk {
		refs = append(refs, &spec.Disk[i].Datastore)
	}
	for _, ref := range refs {
		if ref != nil && ctx.Map.Get(*ref) == nil {
			return ref
		}
	}
	return nil
}

// target is where everything goes, resolved and checked, before anything has moved.
type target struct {
	host   *simulator.HostSystem
	pool   *simulator.ResourcePool
	folder *simulator.Folder    // nil: stays
	home   *simulator.Datastore // configuration, logs, and the disks not named in disks
	disks  map[int32]diskTarget // by device key
	nics   map[int32]nicTarget  // by device key, every card of the machine
}

type diskTarget struct {
	datastore *simulator.Datastore
	thin      *bool // nil: unchanged
}

type nicTarget struct {
	network types.ManagedObjectReference
	backing types.BaseVirtualDeviceBackingInfo
}

func invalid(property string) types.BaseMethodFault {
	return &types.InvalidArgument{InvalidProperty: property}
}

func resolve(ctx *simulator.Context, vm *simulator.VirtualMachine, spec *types.VirtualMachineRelocateSpec) (*target, types.BaseMethodFault) {
	if spec.Service != nil { // the library would move the machine locally and call it success
		return nil, new(types.NotSupported)
	}
	t := new(target)
	steps := []func(*simulator.Context, *simulator.VirtualMachine, *types.VirtualMachineRelocateSpec) types.BaseMethodFault{
		t.resolveCompute, t.resolveFolder, t.resolveStorage, t.resolveNetworks,
	}
	for _, step := range steps {
		if fault := step(ctx, vm, spec); fault != nil {
			return nil, fault
		}
	}
	return t, nil
}

func (t *target) resolveCompute(ctx *simulator.Context, vm *simulator.VirtualMachine, spec *types.VirtualMachineRelocateSpec) types.BaseMethodFault {
	var ok bool
	if t.pool, ok = ctx.Map.Get(*either(spec.Pool, vm.ResourcePool)).(*simulator.ResourcePool); !ok {
		return invalid("spec.pool")
	}
	host := spec.Host
	if host == nil {
		if host = vm.Runtime.Host; spec.Pool != nil && !owns(ctx, t.pool, *host) {
			host = anyHostOf(ctx, t.pool)
		}
	}
	if host == nil {
		return invalid("spec.host")
	}
	if t.host, ok = ctx.Map.Get(*host).(*simulator.HostSystem); !ok {
		return invalid("spec.host")
	}
	if !owns(ctx, t.pool, t.host.Self) {
		return invalid("spec.pool")
	}
	return nil
}

func (t *target) resolveFolder(ctx *simulator.Context, vm *simulator.VirtualMachine, spec *types.VirtualMachineRelocateSpec) types.BaseMethodFault {
	there := datacenterOf(ctx, t.host)
	ref := spec.Folder
	if ref == nil && datacenterOf(ctx, vm) != there {
		ref = &there.VmFolder
	}
	if ref == nil {
		return nil
	}
	folder, ok := ctx.Map.Get(*ref).(*simulator.Folder)
	if !ok || datacenterOf(ctx, folder) != there || !slices.Contains(folder.ChildType, "VirtualMachine") {
		return invalid("spec.folder")
	}
	if *ref == *vm.Parent {
		return nil
	}
	if ctx.Map.FindByName(vm.Name, folder.ChildEntity) != nil {
		return &types.DuplicateName{Name: vm.Name, Object: *ref}
	}
	t.folder = folder
	return nil
}

func (t *target) resolveStorage(ctx *simulator.Context, vm *simulator.VirtualMachine, spec *types.VirtualMachineRelocateSpec) types.BaseMethodFault {
	here := homeOf(ctx, vm)
	var fault types.BaseMethodFault
	if t.home, fault = t.mounted(ctx, *either(spec.Datastore, &here.Self)); fault != nil {
		return fault
	}
	t.disks = map[int32]diskTarget{}
	for _, locator := range spec.Disk {
		if diskByKey(vm, locator.DiskId) == nil {
			return invalid("spec.disk.diskId")
		}
		datastore, fault := t.mounted(ctx, locator.Datastore)
		if fault != nil {
			return fault
		}
		place := diskTarget{datastore: datastore}
		if backing, ok := locator.DiskBackingInfo.(*types.VirtualDiskFlatVer2BackingInfo); ok {
			place.thin = backing.ThinProvisioned
		}
		t.disks[locator.DiskId] = place
	}
	if spec.Datastore != nil {
		return nil
	}
	for _, disk := range disksOf(vm) { // without a common datastore, unnamed disks stay, and must be seen from there
		if _, named := t.disks[disk.Key]; named {
			continue
		}
		datastore, fault := t.mounted(ctx, *flat(disk).Datastore)
		if fault != nil {
			return fault
		}
		t.disks[disk.Key] = diskTarget{datastore: datastore}
	}
	return nil
}

// mounted returns the datastore if the destination host sees it.
func (t *target) mounted(ctx *simulator.Context, ref types.ManagedObjectReference) (*simulator.Datastore, types.BaseMethodFault) {
	datastore, ok := ctx.Map.Get(ref).(*simulator.Datastore)
	if !ok {
		return nil, invalid("spec.datastore")
	}
	if !slices.Contains(t.host.Datastore, ref) {
		return nil, &types.InaccessibleDatastore{InvalidDatastore: types.InvalidDatastore{Datastore: &ref, Name: datastore.Name}}
	}
	return datastore, nil
}

func (t *target) resolveNetworks(ctx *simulator.Context, vm *simulator.VirtualMachine, spec *types.VirtualMachineRelocateSpec) types.BaseMethodFault {
	wanted := map[int32]types.BaseVirtualDeviceBackingInfo{}
	for _, change := range spec.DeviceChange {
		edit := change.GetVirtualDeviceConfigSpec()
		card, ok := edit.Device.(types.BaseVirtualEthernetCard)
		if !ok || edit.Operation != types.VirtualDeviceConfigSpecOperationEdit {
			return invalid("spec.deviceChange")
		}
		wanted[card.GetVirtualEthernetCard().Key] = card.GetVirtualEthernetCard().Backing
	}
	t.nics = map[int32]nicTarget{}
	for _, card := range cardsOf(vm) {
		backing := card.Backing
		if edited, ok := wanted[card.Key]; ok {
			backing = edited
			delete(wanted, card.Key)
		}
		network := t.networkSeen(ctx, backing)
		if network == nil {
			return &types.CannotAccessNetwork{CannotAccessVmDevice: types.CannotAccessVmDevice{
				Device: card.DeviceInfo.GetDescription().Label, Backing: backingName(backing),
			}}
		}
		t.nics[card.Key] = nicTarget{network: *network, backing: backing}
	}
	if len(wanted) != 0 { // an edit of a card that the machine does not have
		return invalid("spec.deviceChange")
	}
	return nil
}

// networkSeen finds the backing's network among those of the destination host: port groups by key, others by name.
func (t *target) networkSeen(ctx *simulator.Context, backing types.BaseVirtualDeviceBackingInfo) *types.ManagedObjectReference {
	for _, ref := range t.host.Network {
		switch b := backing.(type) {
		case *types.VirtualEthernetCardDistributedVirtualPortBackingInfo:
			if ref.Type == "DistributedVirtualPortgroup" && ref.Value == b.Port.PortgroupKey {
				return &ref
			}
		case *types.VirtualEthernetCardNetworkBackingInfo:
			if network, ok := ctx.Map.Get(ref).(*mo.Network); ok && network.Name == b.DeviceName {
				return &ref
			}
		}
	}
	return nil
}
