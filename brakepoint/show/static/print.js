// The plates of the toy's line in their true size, to print.
import { $, element, facts, root, say, speak } from "./web/shared.js";

$("plates").append(...facts.plates.map(([kind, width, height]) => {
  const plate = element("img", { src: `art/${kind}.svg` });
  root.addEventListener("language", () => (plate.alt = say(`sign.kind.${kind}`)));
  plate.style.width = `${width}cm`;
  plate.style.height = `${height}cm`;
  return plate;
}));
speak();
