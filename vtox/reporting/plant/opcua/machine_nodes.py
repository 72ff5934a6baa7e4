"""The objects of machines in the address space: made, written on a change, deleted."""

from asyncua import Server, ua

from vtox.reporting.plant.opcua.nodes import FOLDER, NAMEPLATE, PARTS, Quantity, Values, browse_name


class MachineNodes:
    """An object for each machine that is shown, with its variables."""

    def __init__(self, server: Server, index: int) -> None:
        self._server = server
        self._index = index
        # Machine id -> its variables as they were last written.
        self.shown: dict[str, Values] = {}

    async def make_folder(self) -> None:
        """Make the folder in which the machines are."""
        await self._server.nodes.objects.add_folder(
            self.id(FOLDER), self._qualified_name("Machines")
        )

    def id(self, *names: str) -> ua.NodeId:
        """Return the id of a machine, or of a node below it."""
        return ua.NodeId("/".join(names), self._index)

    async def show(self, machine_id: str, values: Values) -> None:
        """Write the changed values; make the new nodes."""
        if machine_id not in self.shown:
            await self._make(machine_id)
        known = self.shown[machine_id]
        if "State" in values:  # with it come all fields of the nameplate
            await self._forget(machine_id, [n for n in known if n not in values])
        for name, quantity in values.items():
            if name not in known:
                await self._add(machine_id, name, quantity)
            elif known[name] != quantity:
                node = self.id(machine_id, name)
                await self._server.write_attribute_value(node, quantity.data_value())
            known[name] = quantity

    async def remove(self, machine_id: str) -> None:
        """Delete a machine; nothing if it is not shown."""
        if self.shown.pop(machine_id, None) is not None:
            node = self._server.get_node(self.id(machine_id))
            await self._server.delete_nodes([node], recursive=True)

    async def _make(self, machine_id: str) -> None:
        folder = self._server.get_node(self.id(FOLDER))
        machine = await folder.add_object(self.id(machine_id), self._qualified_name(machine_id))
        self.shown[machine_id] = {}
        for part in PARTS:
            await machine.add_object(self.id(machine_id, part), self._qualified_name(part))

    async def _forget(self, machine_id: str, gone: list[str]) -> None:
        for name in gone:
            if name.startswith(f"{NAMEPLATE}/"):
                node = self._server.get_node(self.id(machine_id, name))
                await self._server.delete_nodes([node])
                del self.shown[machine_id][name]

    async def _add(self, machine_id: str, name: str, quantity: Quantity) -> None:
        part = name.rpartition("/")[0]
        parent = self._server.get_node(self.id(machine_id, *filter(None, [part])))
        value, node = quantity.data_value(), self.id(machine_id, name)
        first = quantity.value if quantity.value is not None else 0.0
        await parent.add_variable(
            node, self._qualified_name(browse_name(name)), ua.Variant(first, quantity.kind)
        )
        if quantity.value is None or quantity.t is not None:
            await self._server.write_attribute_value(node, value)

    def _qualified_name(self, name: str) -> ua.QualifiedName:
        return ua.QualifiedName(name, self._index)
