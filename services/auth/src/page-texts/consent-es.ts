import type { ConsentTexts } from './consent-en.ts';

export const consent: ConsentTexts = {
  consentTitle: '¿Permitir esta aplicación?',
  consentMeans:
    'Una aplicación que su organización no ha configurado pide acceso en su nombre. Se la conoce por la dirección de su autor:',
  consentCallsItself: 'Se llama a sí misma',
  consentUnknown: 'Nadie aquí ha comprobado qué es. Permítala solo si confía en quien está detrás de esa dirección.',
  consentAt: 'En {api} quiere:',
  consentOfYou: 'De usted quiere saber:',
  consentOpenid: 'que es usted, por un identificador de su cuenta',
  consentProfile: 'su nombre y su idioma',
  consentEmail: 'su dirección de correo electrónico',
  consentOffline: 'todo ello mientras tenga la sesión iniciada, también cuando no la use',
  consentGoesTo: 'Si lo permite, continuará en',
  consentLoopback:
    'Si lo permite, el acceso va a un programa en su propio ordenador ({host}). Permítalo solo si acaba de iniciar ese programa usted mismo.',
  consentAs: 'Ha iniciado sesión como {person}, en {organization}.',
  consentAllow: 'Permitir',
  consentRefuse: 'No permitir',
  consentUndo: 'Puede retirarlo en cualquier momento en la página de su cuenta.',
  consentChanged: 'Lo que pide la aplicación ha cambiado entretanto. Léalo otra vez.',
  allowedTitle: 'Aplicaciones que ha permitido',
  allowedMeans: 'Nadie aquí las ha configurado. Retire lo que no use: su acceso termina de inmediato.',
  allowedWithdraw: 'Retirar',
};
