package main

import (
	"slices"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// alignNetworkNames calls DC0_DVPG0 and DC1_DVPG0 both DVPG0, so that a machine can find its network in the other
// datacenter by name, which is how sites are usually kept.
func alignNetworkNames(ctx *simulator.Context) {
	for _, entity := range ctx.Map.All("DistributedVirtualPortgroup") {
		group := entity.(*simulator.DistributedVirtualPortgroup)
		if _, name, prefixed := strings.Cut(group.Name, "_"); prefixed {
			group.Name, group.Config.Name, group.Summary.GetNetworkSummary().Name = name, name, name
			group.Entity().Name = name
		}
	}
}

func refs(ref ...types.ManagedObjectReference) []types.ManagedObjectReference { return ref }

func either(first, second *types.ManagedObjectReference) *types.ManagedObjectReference {
	if first != nil {
		return first
	}
	return second
}

func parsePath(name string) object.DatastorePath {
	var p object.DatastorePath
	p.FromString(name)
	return p
}

func datacenterOf(ctx *simulator.Context, entity mo.Entity) *simulator.Datacenter {
	for entity != nil {
		if datacenter, ok := entity.(*simulator.Datacenter); ok {
			return datacenter
		}
		parent := entity.Entity().Parent
		if parent == nil {
			return nil
		}
		entity, _ = ctx.Map.Get(*parent).(mo.Entity)
	}
	return nil
}

// homeOf is the datastore of the machine's configuration, as its present host knows it by name.
func homeOf(ctx *simulator.Context, vm *simulator.VirtualMachine) *simulator.Datastore {
	host := ctx.Map.Get(*vm.Runtime.Host).(*simulator.HostSystem)
	return ctx.Map.FindByName(parsePath(vm.Config.Files.VmPathName).Datastore, host.Datastore).(*simulator.Datastore)
}

// computeOf returns the hosts under a pool's owner, a cluster or a lone host's compute resource.
func computeOf(ctx *simulator.Context, pool *simulator.ResourcePool) []types.ManagedObjectReference {
	switch owner := ctx.Map.Get(pool.Owner).(type) {
	case *simulator.ClusterComputeResource:
		return owner.Host
	case *mo.ComputeResource:
		return owner.Host
	}
	return nil
}

func owns(ctx *simulator.Context, pool *simulator.ResourcePool, host types.ManagedObjectReference) bool {
	return slices.Contains(computeOf(ctx, pool), host)
}

func anyHostOf(ctx *simulator.Context, pool *simulator.ResourcePool) *types.ManagedObjectReference {
	if hosts := computeOf(ctx, pool); len(hosts) != 0 {
		return &hosts[0]
	}
	return nil
}

func disksOf(vm *simulator.VirtualMachine) []*types.VirtualDisk {
	var disks []*types.VirtualDisk
	for _, device := range vm.Config.Hardware.Device {
		if disk, ok := device.(*types.VirtualDisk); ok && flat(disk) != nil {
			disks = append(disks, disk)
		}
	}
	return disks
}

func diskByKey(vm *simulator.VirtualMachine, key int32) *types.VirtualDisk {
	for _, disk := range disksOf(vm) {
		if disk.Key == key {
			return disk
		}
	}
	return nil
}

// flat is the disk's backing; the library makes no other kind.
func flat(disk *types.VirtualDisk) *types.VirtualDiskFlatVer2BackingInfo {
	backing, _ := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
	return backing
}

func cardsOf(vm *simulator.VirtualMachine) []*types.VirtualEthernetCard {
	var cards []*types.VirtualEthernetCard
	for _, device := range vm.Config.Hardware.Device {
		if card, ok := device.(types.BaseVirtualEthernetCard); ok {
			cards = append(cards, card.GetVirtualEthernetCard())
		}
	}
	return cards
}

func backingName(backing types.BaseVirtualDeviceBackingInfo) string {
	switch b := backing.(type) {
	case *types.VirtualEthernetCardDistributedVirtualPortBackingInfo:
		return b.Port.PortgroupKey
	case *types.VirtualEthernetCardNetworkBackingInfo:
		return b.DeviceName
	}
	return ""
}

func urls(ctx *simulator.Context, datastores []types.ManagedObjectReference) []types.VirtualMachineConfigInfoDatastoreUrlPair {
	var pairs []types.VirtualMachineConfigInfoDatastoreUrlPair
	for _, ref := range datastores {
		datastore := ctx.Map.Get(ref).(*simulator.Datastore)
		pairs = append(pairs, types.VirtualMachineConfigInfoDatastoreUrlPair{Name: datastore.Name, Url: datastore.Summary.Url})
	}
	return pairs
}

type oldAndNew struct {
	old, new []types.ManagedObjectReference
}

// relist takes the machine off the lists of what it left and puts it on those of what it reached.
func relist(ctx *simulator.Context, vm types.ManagedObjectReference, places *oldAndNew) {
	for _, ref := range places.old {
		if !slices.Contains(places.new, ref) {
			editList(ctx, ref, func(list []types.ManagedObjectReference) []types.ManagedObjectReference {
				return slices.DeleteFunc(list, func(r types.ManagedObjectReference) bool { return r == vm })
			})
		}
	}
	for _, ref := range places.new {
		editList(ctx, ref, func(list []types.ManagedObjectReference) []types.ManagedObjectReference {
			if slices.Contains(list, vm) {
				return list
			}
			return append(list, vm)
		})
	}
}

// editList changes an object's vm property under its lock, so that property collectors hear of it.
func editList(ctx *simulator.Context, ref types.ManagedObjectReference, edit func([]types.ManagedObjectReference) []types.ManagedObjectReference) {
	entity := ctx.Map.Get(ref)
	var list *[]types.ManagedObjectReference
	switch e := entity.(type) {
	case *simulator.HostSystem:
		list = &e.Vm
	case *simulator.ResourcePool:
		list = &e.Vm
	case *simulator.Datastore:
		list = &e.Vm
	case *simulator.DistributedVirtualPortgroup:
		list = &e.Vm
	case *mo.Network:
		list = &e.Vm
	default:
		return
	}
	ctx.WithLock(entity, func() {
		ctx.Update(entity, []types.PropertyChange{{Name: "vm", Val: edit(slices.Clone(*list))}})
	})
}

func hostArgument(host *simulator.HostSystem) *types.HostEventArgument {
	return &types.HostEventArgument{EntityEventArgument: types.EntityEventArgument{Name: host.Name}, Host: host.Self}
}

func datacenterArgument(datacenter *simulator.Datacenter) *types.DatacenterEventArgument {
	return &types.DatacenterEventArgument{
		EntityEventArgument: types.EntityEventArgument{Name: datacenter.Name}, Datacenter: datacenter.Self,
	}
}

func datastoreArgument(datastore *simulator.Datastore) *types.DatastoreEventArgument {
	return &types.DatastoreEventArgument{
		EntityEventArgument: types.EntityEventArgument{Name: datastore.Name}, Datastore: datastore.Self,
	}
}
