// Subscribes to a value and to events, and prints what comes, one line each: NODE_PATH finds
// node-opcua-client. Arguments: endpoint, node id of the value.
const { AttributeIds, MessageSecurityMode, OPCUAClient, SecurityPolicy, TimestampsToReturn, constructEventFilter } =
  require("node-opcua-client");

async function main([endpoint, nodeId]) {
  const client = OPCUAClient.create({
    endpointMustExist: false,
    securityMode: MessageSecurityMode.None,
    securityPolicy: SecurityPolicy.None,
    keepSessionAlive: true,
    connectionStrategy: { initialDelay: 200, maxDelay: 500, maxRetry: -1 },
  });
  client.on("connection_lost", () => console.log("lost"));
  client.on("connection_reestablished", () => console.log("connected again"));
  await client.connect(endpoint);
  const session = await client.createSession();
  session.on("session_repaired", () => console.log("repaired"));
  session.on("session_repaired_failed", (e) => console.log("not repaired", e.message));
  const subscription = await session.createSubscription2({
    publishingEnabled: true,
    requestedPublishingInterval: 200,
    requestedLifetimeCount: 100,
    requestedMaxKeepAliveCount: 10,
  });
  const asked = { samplingInterval: 100, queueSize: 100, discardOldest: true };
  const value = await subscription.monitor({ nodeId, attributeId: AttributeIds.Value }, asked, TimestampsToReturn.Both);
  value.on("changed", (v) => console.log("value", v.value.value));
  const event = await subscription.monitor(
    { nodeId: "i=2253", attributeId: AttributeIds.EventNotifier },
    { ...asked, filter: constructEventFilter(["SourceName", "Severity"]) },
    TimestampsToReturn.Both,
  );
  event.on("changed", (fields) => console.log("event", ...fields.map((f) => f.value)));
  console.log("subscribed");
}

main(process.argv.slice(2)).catch((e) => {
  console.error(e);
  process.exit(1);
});
