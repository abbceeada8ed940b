// The plates of the toy's line in their true size, to print.
import { $, element, facts, speak } from "./web/shared.js";

$("plates").append(...facts.plates.map(([kind, width, height]) => {
  const plate = element("img", { src: `art/${kind}.svg`, alt: kind });
  plate.style.width = `${width}cm`;
  plate.style.height = `${height}cm`;
  return plate;
}));
speak();
