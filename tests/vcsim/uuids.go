package main

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// uuids answers the search index's look-ups of machines by UUID.
//
// The library's own walk over everything in its registry panics as soon as a host was asked for its esxcli: what it
// registers then is no managed object. The panic leaves the search index locked, so that every later look-up hangs.
type uuids struct{ mo.ExtensibleManagedObject }

func newUuids(ctx *simulator.Context) *uuids {
	u := new(uuids)
	u.Self = types.ManagedObjectReference{Type: "ExtensibleManagedObject", Value: "uuids"}
	ctx.Map.Put(u)
	return u
}

func (u *uuids) FindByUuid(ctx *simulator.Context, req *types.FindByUuid) soap.HasFault {
	res := new(types.FindByUuidResponse)
	if found := machines(ctx, req.Uuid, req.InstanceUuid); req.VmSearch && len(found) > 0 {
		res.Returnval = &found[0]
	}
	return &methods.FindByUuidBody{Res: res}
}

func (u *uuids) FindAllByUuid(ctx *simulator.Context, req *types.FindAllByUuid) soap.HasFault {
	res := new(types.FindAllByUuidResponse)
	if req.VmSearch {
		res.Returnval = machines(ctx, req.Uuid, req.InstanceUuid)
	}
	return &methods.FindAllByUuidBody{Res: res}
}

func machines(ctx *simulator.Context, uuid string, instance *bool) []types.ManagedObjectReference {
	var found []types.ManagedObjectReference
	for _, entity := range ctx.Map.All("VirtualMachine") {
		vm, ok := entity.(*simulator.VirtualMachine)
		if !ok || vm.Config == nil {
			continue
		}
		own := vm.Config.Uuid
		if instance != nil && *instance {
			own = vm.Config.InstanceUuid
		}
		if own == uuid {
			found = append(found, vm.Self)
		}
	}
	return found
}
