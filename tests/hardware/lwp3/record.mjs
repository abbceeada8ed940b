// Records the bytes that node-poweredup writes to a City hub, and what it understands of a hub's bytes.
//
//   npm install --omit=optional node-poweredup@10.1.0 && node record.mjs > node_poweredup.json
//
// Its Bluetooth is replaced by an object that answers as a hub would; its own code makes every byte.
import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";

const root = new URL("./node_modules/node-poweredup/", import.meta.url);
const { Hub } = await import(new URL("dist/hubs/hub.js", root));
const Consts = await import(new URL("dist/consts.js", root));

class Air extends EventEmitter {
  written = [];
  name = "train";
  uuid = "fake";
  async connect() {}
  async disconnect() {}
  async discoverCharacteristicsForService() {}
  subscribeToCharacteristic(_, heard) { this.say = (hex) => heard(Buffer.from(hex.replaceAll(" ", ""), "hex")); }
  async writeToCharacteristic(_, message) {
    this.written.push(message.toString("hex"));
    const [, , type, first, operation] = message;
    if (type === 0x01 && operation === 0x05) {
      setImmediate(() => this.say(`0b0001${first.toString(16).padStart(2, "0")}06040000110000`));
    } else if (type === 0x81) {
      setImmediate(() => this.say(`050082${first.toString(16).padStart(2, "0")}0a`));
    }
  }
}

const air = new Air();
const hub = new Hub(air);
await hub.connect();
const opening = air.written.splice(0);
air.say("0f 00 04 00 01 02 00 00 00 00 10 00 00 00 10");
air.say("0f 00 04 01 01 08 00 00 00 00 10 00 00 00 10");
air.say("0f 00 04 32 01 17 00 00 00 00 10 00 00 00 10");
const [motor, light, led] = [0, 1, 50].map((port) => hub._getDeviceByPortId(port));
const sent = {};
async function record(name, action) {
  air.written = [];
  await action();
  sent[name] = air.written;
}
for (const power of [-100, -1, 1, 50, 100]) await record(`power ${power}`, () => motor.setPower(power, true));
await record("brake", () => motor.brake());
await record("float", () => motor.stop());
for (const level of [0, 40, 100]) await record(`light ${level}`, () => light.setBrightness(level, true));
for (const colour of ["BLUE", "GREEN", "RED"]) await record(`colour ${colour}`, () => led.setColor(Consts.Color[colour]));
await record("switch off", () => hub.shutdown());

const heard = { motor: Consts.DeviceTypeNames[motor.type], light: Consts.DeviceTypeNames[light.type] };
hub.once("batteryLevel", ({ batteryLevel }) => { heard.battery = batteryLevel; });
air.say("06 00 01 06 06 57");
const detached = new Promise((resolve) => hub.once("detach", (device) => resolve(device.portId)));
air.say("05 00 04 01 00");
heard.detached = await detached;
const { version } = JSON.parse(readFileSync(new URL("package.json", root)));
console.log(JSON.stringify({ "node-poweredup": version, opening, sent, heard }, null, 1));
process.exit(0);
